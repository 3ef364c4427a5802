/** Reads QR codes from the phone's camera: by the browser itself where it can, else by jsQR. */
import jsQR from 'jsqr'

/** Not in TypeScript's library yet. */
interface CodeDetector {
  detect(source: HTMLVideoElement): Promise<readonly { readonly rawValue: string }[]>
}
declare global {
  var BarcodeDetector:
    | { new (options: { formats: string[] }): CodeDetector; getSupportedFormats(): Promise<string[]> }
    | undefined
}

/** Enough for 41 modules across a third of the picture, and little enough for an old phone. */
const pixelsMax = 800
const pauseMs = 90

const byBrowser = async (): Promise<CodeDetector | undefined> => {
  const detector = globalThis.BarcodeDetector
  const formats = await detector?.getSupportedFormats().catch((): string[] => [])
  return detector !== undefined && formats?.includes('qr_code') === true
    ? new detector({ formats: ['qr_code'] })
    : undefined
}

const byPixels = (): CodeDetector => {
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d', { willReadFrequently: true })
  return {
    async detect(video) {
      const scale = Math.min(1, pixelsMax / Math.max(video.videoWidth, video.videoHeight))
      canvas.width = Math.round(video.videoWidth * scale)
      canvas.height = Math.round(video.videoHeight * scale)
      if (context === null || canvas.width === 0) return []
      context.drawImage(video, 0, 0, canvas.width, canvas.height)
      const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height)
      const found = jsQR(data, width, height, { inversionAttempts: 'attemptBoth' })
      return found === null ? [] : [{ rawValue: found.data }]
    },
  }
}

export type CameraTrouble = 'refused' | 'missing' | 'insecure'

/**
 * Shows the camera in `video`, and tells of every code that it sees, again and again as long as it is in view.
 * @returns stops it; or why there is none
 */
export const startCamera = async (
  video: HTMLVideoElement,
  onCode: (text: string) => void,
): Promise<(() => void) | CameraTrouble> => {
  if (!isSecureContext || navigator.mediaDevices === undefined) return 'insecure'
  let stream: MediaStream
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } },
    })
  } catch (error) {
    return error instanceof DOMException && error.name === 'NotAllowedError' ? 'refused' : 'missing'
  }
  let running = true
  const stop = (): void => {
    running = false
    for (const track of stream.getTracks()) track.stop()
    // Another beginning may have put its own there.
    if (video.srcObject === stream) video.srcObject = null
  }
  try {
    video.srcObject = stream
    await video.play()
  } catch {
    stop()
    return 'missing'
  }
  const detector = (await byBrowser()) ?? byPixels()
  const look = async (): Promise<void> => {
    if (!running) return
    const codes = await detector.detect(video).catch(() => [])
    for (const { rawValue } of codes) if (running) onCode(rawValue)
    setTimeout(look, pauseMs)
  }
  void look()
  return stop
}
