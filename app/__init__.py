"""Lintas: referrals of victims of violence and trafficking, routed by the agreements their agencies signed."""
