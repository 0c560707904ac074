"""InfoGAN Bench: sweep InfoGAN and measure what its latent codes disentangle."""

__version__ = "0.1.0"
