"""Networks: backbones, training them, making them smaller, and their files."""
