// What a camera or a picture shows: the text of a QR code. The browser's own BarcodeDetector where it has one, else
// the decoder of the npm package `qr`, which is served from our own origin and loaded when it is needed.
const PICTURE_SIDE_MAX = 2000;
const FRAME_SIDE_MAX = 1280;
const PAUSE_MS = 120;

let ready = null;

/** Whether this browser can open a camera at all. */
export function cameraIsThere() {
  return Boolean(navigator.mediaDevices?.getUserMedia);
}

/**
 * Shows the camera in `video` and calls `onText` with what each readable code says, until the returned function is
 * called. Rejects when the camera is refused or absent.
 */
export async function watch(video, onText) {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { facingMode: "environment", width: { ideal: 1920 }, height: { ideal: 1080 } },
  });
  let on = true;
  const stop = () => {
    on = false;
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  try {
    video.srcObject = stream;
    await video.play();
    const read = await reader();
    (async () => {
      while (on) {
        const text = video.videoWidth ? await read(video, video.videoWidth, video.videoHeight, FRAME_SIDE_MAX) : null;
        if (on && text !== null) onText(text);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    })();
  } catch (error) {
    stop();
    throw error;
  }
  return stop;
}

/** The text of the code in a picture's file, or null when there is none that can be read. */
export async function textInPicture(file) {
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    return null; // no picture
  }
  const read = await reader();
  return read(picture, picture.width, picture.height, PICTURE_SIDE_MAX);
}

function reader() {
  ready ??= makeReader().catch((error) => {
    ready = null;
    throw error;
  });
  return ready;
}

async function makeReader() {
  if ("BarcodeDetector" in globalThis && (await BarcodeDetector.getSupportedFormats()).includes("qr_code")) {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async (source) => (await detector.detect(source).catch(() => []))[0]?.rawValue ?? null;
  }
  const { decodeQR } = await import("/vendor/qr/decode.js");
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const decode = (source, left, top, width, height, sideMax) => {
    const scale = Math.min(1, sideMax / Math.max(width, height));
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    context.drawImage(source, left, top, width, height, 0, 0, canvas.width, canvas.height);
    try {
      return decodeQR(context.getImageData(0, 0, canvas.width, canvas.height));
    } catch {
      return null; // no code in this frame
    }
  };
  return async (source, width, height, sideMax) => {
    const middle = Math.round(Math.min(width, height) * 0.8); // whole pixels of the middle, where people aim
    return decode(source, 0, 0, width, height, sideMax)
      ?? decode(source, (width - middle) >> 1, (height - middle) >> 1, middle, middle, sideMax);
  };
}
