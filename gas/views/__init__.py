"""The pages: parse, find among the user's own rows, call one service, answer."""
