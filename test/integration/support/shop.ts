const INFO = `openapi: 3.1.0
info:
  title: Shop
  version: 1.0.0
paths:
`;

/** A path of the shop, to be put at the end of `SHOP` or to be looked for. */
export const ITEMS = `  /items:
    get:
      summary: List items
      responses:
        '200': { description: OK }
`;

/** The API of a small shop: one operation, and nothing below the paths. */
export const SHOP = `${INFO}  /orders:
    get:
      summary: List orders
      responses:
        '200': { description: OK }
`;

/** The same with a second operation, for edits at two places, and with something below the paths. */
export const SHOP_WITH_ITEMS = `${SHOP}${ITEMS}components: {}
`;

/** Two documents of one folder. */
export const SHOP_AND_PETS = { 'openapi.yaml': SHOP, 'pets.yaml': SHOP.replace('Shop', 'Pets') };
