"""The built-in exchange: a simulated spot exchange, and servers that speak for it in Binance's and Coinbase's words."""
