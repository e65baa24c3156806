"""Sign-in with Globus: the one way into the site, and the tokens that come with it."""
