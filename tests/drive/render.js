// The text of each page in `data` (base64 of a JSON list) that a person sees:
// text nodes, minus what computed style or layout hides. The answer goes into
// a <pre>, as base64 of a JSON list. Runs inside Chromium, for render.py.
"use strict";

const FONT_LEAST = 4;        // px
const OPACITY_LEAST = 0.1;
const CONTRAST_LEAST = 1.2;  // WCAG ratio; #eee on white has 1.16
const WIDTH = 1000;
const LOAD_MS = 3000;
// No text of a mail, whatever its style: values of a form, what stands in for
// something else, other languages than HTML.
const NEVER = new Set(["NOSCRIPT", "SELECT", "TEXTAREA", "DATALIST", "SVG",
  "TITLE", "STYLE", "SCRIPT", "TEMPLATE", "OBJECT", "IFRAME", "VIDEO",
  "AUDIO", "CANVAS", "METER", "PROGRESS", "HEAD"]);

function parseColour(text) {
  const n = (text.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const scale = text.startsWith("color(") ? 255 : 1;
  return {r: n[0] * scale, g: n[1] * scale, b: n[2] * scale,
    a: n.length > 3 ? n[3] : 1};
}

function over(top, under) {
  const mix = (a, b) => a * top.a + b * (1 - top.a);
  return {r: mix(top.r, under.r), g: mix(top.g, under.g),
    b: mix(top.b, under.b), a: 1};
}

function luminance(c) {
  const part = (v) => {
    v /= 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * part(c.r) + 0.7152 * part(c.g) + 0.0722 * part(c.b);
}

function contrast(a, b) {
  const x = luminance(a), y = luminance(b);
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

// The colour behind an element, or null where there is a picture.
function background(element, view) {
  const layers = [];
  for (let e = element; e; e = e.parentElement) {
    const style = view.getComputedStyle(e);
    if (style.backgroundImage !== "none")
      return null;
    const colour = parseColour(style.backgroundColor);
    if (colour.a > 0)
      layers.push(colour);
    if (colour.a >= 1)
      break;
  }
  return layers.reduceRight((under, top) => over(top, under),
    {r: 255, g: 255, b: 255, a: 1});
}

function readable(element, view) {
  const style = view.getComputedStyle(element);
  if (style.backgroundClip === "text" && style.backgroundImage !== "none")
    return true;  // the letters are painted with the picture
  const text = parseColour(style.webkitTextFillColor);
  const behind = background(element, view);
  if (behind === null)
    return text.a >= OPACITY_LEAST;
  return contrast(over(text, behind), behind) >= CONTRAST_LEAST;
}

function overlap(a, b) {
  return {left: Math.max(a.left, b.left), top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right), bottom: Math.min(a.bottom, b.bottom)};
}

function emptyClip(style) {
  if (style.position === "absolute" || style.position === "fixed") {
    const n = (style.clip.match(/-?[\d.]+/g) || []).map(Number);
    if (n.length === 4 && (n[2] - n[0] <= 1 || n[1] - n[3] <= 1))
      return true;
  }
  return /inset\((100|50)%|circle\(0|polygon\(0px 0px, 0px 0px/.test(
    style.clipPath);
}

// The part of a rectangle that no ancestor cuts off.
function left(rect, element, view) {
  for (let e = element; e && e !== e.ownerDocument.body; e = e.parentElement) {
    const style = view.getComputedStyle(e);
    if (style.overflowX !== "visible" || style.overflowY !== "visible")
      rect = overlap(rect, e.getBoundingClientRect());
  }
  return rect;
}

function hiddenChain(element, view) {
  const box = element.closest("foreignObject");
  let opacity = 1;
  for (let e = element; e; e = e.parentElement) {
    const style = view.getComputedStyle(e);
    const never = NEVER.has(e.tagName.toUpperCase()) &&
      !(box && e.tagName === "svg");
    if (never || style.display === "none" ||
        (e.getAttribute("aria-hidden") || "").toLowerCase() === "true" ||
        emptyClip(style))
      return true;
    opacity *= Number(style.opacity);
    const filter = style.filter.match(/opacity\(([\d.]+)\)/);
    if (filter)
      opacity *= Number(filter[1]);
  }
  return opacity < OPACITY_LEAST;
}

function visible(node, view) {
  const element = node.parentElement;
  const style = view.getComputedStyle(element);
  if (style.visibility !== "visible" ||
      parseFloat(style.fontSize) < FONT_LEAST || hiddenChain(element, view))
    return false;
  const range = node.ownerDocument.createRange();
  range.selectNodeContents(node);
  const shown = Array.from(range.getClientRects()).some((rect) => {
    const part = left(rect, element, view);
    return part.right > 0 && part.bottom + view.scrollY > 0 &&
      part.right - part.left > 1 && part.bottom - part.top > 1;
  });
  return shown && readable(element, view);
}

// The number before an item of <ol>, which is no text node.
function itemNumber(node, style) {
  if (node.tagName !== "LI" || style.display !== "list-item" ||
      style.listStyleType !== "decimal")
    return "";
  const list = node.closest("ol, ul, menu, dir");
  if (!list || list.tagName !== "OL")
    return "";
  let number = list.start;
  for (let e = node.previousElementSibling; e; e = e.previousElementSibling)
    number += e.tagName === "LI" ? 1 : 0;
  return number + ". ";
}

// Text in order; blocks, cells and <br> end a word.
function collect(node, view, out) {
  if (node.nodeType === Node.TEXT_NODE) {
    if (node.data.trim() === "")
      out.push(node.data);
    else if (visible(node, view))
      out.push(node.data);
    return;
  }
  if (node.nodeType !== Node.ELEMENT_NODE)
    return;
  const style = view.getComputedStyle(node);
  const display = style.display;
  const apart = node.tagName === "BR" || !/^(inline|contents)/.test(display);
  if (apart)
    out.push("\n");
  const before = out.length;
  for (const child of node.childNodes)
    collect(child, view, out);
  if (out.slice(before).join("").trim() !== "")
    out.splice(before, 0, itemNumber(node, style));
  if (apart)
    out.push("\n");
}

function show(html) {
  return new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-same-origin";
    frame.width = WIDTH;
    frame.height = 800;
    document.body.append(frame);
    let finished = false;
    const finish = () => {
      if (finished)
        return;
      finished = true;
      const out = [];
      collect(frame.contentDocument.documentElement, frame.contentWindow, out);
      frame.remove();
      done(out.join(""));
    };
    const page = frame.contentDocument;
    page.open();
    page.write(html);
    page.close();
    frame.addEventListener("load", finish);
    setTimeout(finish, LOAD_MS);
  });
}

(async () => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const pages = JSON.parse(new TextDecoder().decode(bytes));
  const texts = [];
  for (const page of pages)
    texts.push(await show(page));
  const json = new TextEncoder().encode(JSON.stringify(texts));
  let text = "";
  for (const byte of json)
    text += String.fromCharCode(byte);
  const pre = document.createElement("pre");
  pre.textContent = btoa(text);
  document.body.append(pre);
})();
