"""Plays referrals of a simulated clinic against the policies by which first visits get their days."""
