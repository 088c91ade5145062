"""Pictures: sources and their labels, splits, augmentation, the door to test pictures."""
