/** How much the server takes at once, for it and for its page. Numbers alone: the page has nothing else with them. */

/** Items named in one request. */
export const MAX_ITEMS = 1000;

/** Images that a search finds. */
export const MAX_FOUND = 500;

/** A thousand items with their images and revisions have a fifth of it. */
export const MAX_BODY_BYTES = 2 ** 20;

/** A picture to search with is a file of any camera, which the browser may not be able to make smaller. */
export const MAX_PICTURE_BYTES = 64 * 2 ** 20;
