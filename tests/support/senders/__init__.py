"""Referrals as other systems write them, each after the file that its guide publishes."""
