// Tablets of Apple and Huawei call themselves computers; that they are touched tells. The server then pays as on a phone.
if (navigator.maxTouchPoints > 1 && /Macintosh|X11|OpenHarmony/.test(navigator.userAgent)) {
  document.cookie = `tablet=1; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
}
