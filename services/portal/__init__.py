"""The portal: the web pages of the clinic, made from what the services answer to the person's own token."""
