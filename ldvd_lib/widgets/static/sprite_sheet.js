// Every frame of many videos in one picture, as ldvd_lib.widgets._sprite_sheet lays them out.

/** Decode a sheet; what is returned copies frames of it onto canvases, until it is closed. */
async function openSheet(bytes, { width, height, numFrames, sheetColumns }) {
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/webp" }));

  function paint(canvas, video, frame) {
    const place = video * numFrames + frame;
    const [left, top] = [(place % sheetColumns) * width, Math.floor(place / sheetColumns) * height];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    canvas.getContext("2d").drawImage(bitmap, left, top, width, height, 0, 0, width, height);
  }

  return { width, height, numFrames, paint, close: () => bitmap.close() };
}
