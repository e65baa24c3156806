"""GAS, a genomics annotation service: the web application and its domain."""
