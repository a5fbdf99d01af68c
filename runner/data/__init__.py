"""Many runs at once: tables over their records, one query, and history."""
