"""What makes a good discriminator for video GANs? The library behind the course."""
