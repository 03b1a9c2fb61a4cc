"""Terms of identity, for measuring unintended bias."""
