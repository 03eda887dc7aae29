"""What is decided: pure functions over plain values."""
