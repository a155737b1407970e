"""Making code faster: profile, propose, prove equal, measure in pairs, and land what is proven."""
