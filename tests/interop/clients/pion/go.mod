module consilium/pion
