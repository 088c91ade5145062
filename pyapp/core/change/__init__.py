"""What changed between two dates: only what the model can vouch for on both."""
