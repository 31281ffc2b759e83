// The district's map: zones coloured by a count, their cells on a click. The list beside it says the same.
"use strict";

const box = document.getElementById("map");
const note = document.getElementById("map-chosen");
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const empty = { type: "FeatureCollection", features: [] };

// Five classes of about the same number of areas; zero is a class of its own.
function classes(values) {
  const sorted = values.filter((value) => value > 0).sort((a, b) => a - b);
  const cuts = [0.2, 0.4, 0.6, 0.8].map((share) => sorted[Math.floor(share * sorted.length)]);
  return [...new Set([1, ...cuts.filter((cut) => cut > 1)])];
}

function paint(steps, name) {
  const fill = ["step", ["coalesce", ["get", name], 0], colour("--map-0")];
  steps.forEach((from, at) => fill.push(from, colour(`--map-${Math.min(at + 1, 5)}`)));
  return fill;
}

function legend(steps) {
  const list = document.getElementById("map-legend");
  list.replaceChildren();
  const entries = [["c0", "0"]];
  steps.forEach((from, at) => {
    const next = steps[at + 1];
    const text = next === undefined ? `≥ ${from}` : next - 1 > from ? `${from}–${next - 1}` : `${from}`;
    entries.push([`c${Math.min(at + 1, 5)}`, text]);
  });
  for (const [name, text] of entries) {
    const item = document.createElement("li");
    const swatch = document.createElement("i");
    swatch.className = name;
    item.append(swatch, text);
    list.append(item);
  }
}

function bounds(features) {
  const all = new maplibregl.LngLatBounds();
  const walk = (coordinates) => {
    if (typeof coordinates[0] === "number") all.extend(coordinates);
    else coordinates.forEach(walk);
  };
  features.forEach((feature) => walk(feature.geometry.coordinates));
  return all;
}

async function load(url) {
  const answer = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

function makeMap(first) {
  maplibregl.setWorkerUrl(box.dataset.worker);
  const map = new maplibregl.Map({
    container: box,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    fadeDuration: 0,
    bounds: bounds(first.features),
    fitBoundsOptions: { padding: 20 },
    style: { version: 8, sources: {}, layers: [{ id: "ground", type: "background", paint: { "background-color": colour("--sunken") } }] },
  });
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  map.keyboard.enable();
  return map;
}

function addAreas(map, name, data, steps, show, width) {
  map.addSource(name, { type: "geojson", data });
  map.addLayer({ id: `${name}-fill`, type: "fill", source: name, paint: { "fill-color": paint(steps, show) } });
  map.addLayer({ id: `${name}-line`, type: "line", source: name, paint: { "line-color": colour("--map-line"), "line-width": width } });
  map.on("mouseenter", `${name}-fill`, () => { map.getCanvas().style.cursor = "pointer"; });
  map.on("mouseleave", `${name}-fill`, () => { map.getCanvas().style.cursor = ""; });
}

function say(properties) {
  const street = properties.street ? ` ${properties.street}` : "";
  const value = properties[box.dataset.show] ?? 0;
  note.textContent = `${properties.code}${street}：${box.dataset.label} ${value}`;
}

function districtMap(map, zones) {
  const show = box.dataset.show;
  const steps = classes(zones.features.map((feature) => feature.properties[show] ?? 0));
  addAreas(map, "zones", zones, steps, show, 1);
  addAreas(map, "cells", empty, [1], show, 1);
  map.addLayer({ id: "chosen", type: "line", source: "zones", filter: ["==", ["get", "code"], ""], paint: { "line-color": colour("--map-chosen"), "line-width": 3 } });
  legend(steps);
  const places = (event) => map.queryRenderedFeatures(event.point, { layers: ["cells-fill"] });
  map.on("mousemove", "zones-fill", (event) => { if (!places(event).length) say(event.features[0].properties); });
  map.on("mousemove", "cells-fill", (event) => say(event.features[0].properties));
  map.on("click", "cells-fill", (event) => { location.assign(box.dataset.cellPage + event.features[0].properties.code); });
  map.on("click", "zones-fill", async (event) => {
    if (places(event).length) return;
    const zone = event.features[0].properties;
    const cells = await load(box.dataset.cells.replace("CODE", encodeURIComponent(zone.code)));
    const finer = classes(cells.features.map((feature) => feature.properties[show] ?? 0));
    map.getSource("cells").setData(cells);
    map.setPaintProperty("cells-fill", "fill-color", paint(finer, show));
    map.setFilter("chosen", ["==", ["get", "code"], zone.code]);
    legend(finer);
    note.replaceChildren(`${zone.code} ${zone.street}：${box.dataset.label} ${zone[show] ?? 0} · `);
    const link = document.createElement("a");
    link.href = box.dataset.zonePage + zone.code;
    link.textContent = `${cells.features.length} ${box.dataset.unitCells}`;
    note.append(link);
    const area = zones.features.filter((feature) => feature.properties.code === zone.code);
    map.fitBounds(bounds(area), { padding: 40, animate: !still });
  });
}

function zoneMap(map, cells) {
  const show = box.dataset.show;
  const steps = classes(cells.features.map((feature) => feature.properties[show] ?? 0));
  addAreas(map, "cells", cells, steps, show, 1.5);
  legend(steps);
  map.on("mousemove", "cells-fill", (event) => say(event.features[0].properties));
  map.on("click", "cells-fill", (event) => { location.assign(box.dataset.cellPage + event.features[0].properties.code); });
}

async function start() {
  const district = box.dataset.map === "district";
  const first = await load(district ? box.dataset.zones : box.dataset.cells);
  if (!first.features.length) return;
  const map = makeMap(first);
  map.on("load", () => (district ? districtMap : zoneMap)(map, first));
  map.once("idle", () => { box.dataset.ready = "1"; });
}

if (box) start().catch((error) => {
  // Without WebGL or the network the list remains; the reason goes to the console for whoever looks.
  console.warn(error);
  const text = document.createElement("p");
  text.textContent = box.dataset.failed;
  box.replaceChildren(text);
});
