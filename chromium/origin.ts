/**
 * Chromium navigates no scheme that it does not know. So `scheme://host/` stands there as `http://host.scheme.localhost/`:
 * a name that is reserved (RFC 6761), a secure context, and never looked up, since each request is answered before it leaves.
 */

const reserved = 'localhost'

/** The address that Chromium is given for one of the app's own. */
export const outward = (address: string): string => {
  const url = new URL(address)
  return `http://${url.host}.${url.protocol.slice(0, -1)}.${reserved}${url.pathname}${url.search}${url.hash}`
}

/** The app's own address for one of Chromium's; any other address stays as it is. */
export const inward = (address: string): string => {
  const blob = address.startsWith('blob:') ? 'blob:' : ''
  const url = URL.parse(address.slice(blob.length))
  const [, host, scheme] = url?.host.match(/^([^.]+)\.([^.]+)\.localhost$/) ?? []
  if (url === null || url.protocol !== 'http:' || host === undefined || scheme === undefined) return address
  return `${blob}${scheme}://${host}${url.pathname}${url.search}${url.hash}`
}

/** A content policy that names origins of the app's schemes, for Chromium. */
export const outwardPolicy = (policy: string): string =>
  policy.replace(/\b([a-z]+):\/\/([\w-]+)(?=[\s;]|$)/g, (_, scheme, host) => `http://${host}.${scheme}.${reserved}`)
