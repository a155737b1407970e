"""The faces and the maintenance of GridBot: what a person or a tool talks to; may import the trading wing."""
