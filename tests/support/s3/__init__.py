"""An object store that speaks S3, on loopback."""
