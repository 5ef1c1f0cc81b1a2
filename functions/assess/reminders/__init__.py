"""Messages to owners who gave a mobile number: a certificate is ready, the year ends."""
