/** Of what is sold, one part in this many may be shown before it is paid for. */
export const previewShare = 3
