"""Sign-in and sign-out against the stand-in for Globus, over real HTTP."""
