// Keeps the ticket page on the phone, so that it opens with no network. The keys are the page's own to keep.
const cacheName = 'farthing-tickets'
const files = ['./', 'page.js', 'page.css', 'farthing.svg']
const addresses = files.map((file) => new URL(file, location.href).href)

addEventListener('install', (event) => {
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(addresses)))
  skipWaiting()
})
addEventListener('activate', (event) => event.waitUntil(clients.claim()))

const fetchAnew = async (request) => {
  const answer = await fetch(request)
  if (answer.ok) await (await caches.open(cacheName)).put(request, answer.clone())
  return answer
}

// What is here answers at once; what the network has is for the next time.
addEventListener('fetch', (event) => {
  if (event.request.method !== 'GET' || !addresses.includes(event.request.url)) return
  event.respondWith(
    caches.match(event.request.url).then((kept) => {
      const anew = fetchAnew(event.request.url)
      if (kept === undefined) return anew
      event.waitUntil(anew.catch(() => undefined))
      return kept
    }),
  )
})
