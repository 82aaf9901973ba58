"""Referral: intake, triage, the closed loop with the referrer, and the insurer's authorization."""
