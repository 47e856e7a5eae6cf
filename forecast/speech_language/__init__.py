"""Speech and language: from referrals to waits to therapists."""
