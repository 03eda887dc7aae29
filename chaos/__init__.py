"""The proof of crash safety: a whole Lintas of real processes, broken again and again while referrals keep coming."""
