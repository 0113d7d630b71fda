// Turns the compiled frontend, style/ and public/ into target/site. Called by .ci/site.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const [wasm] = process.argv.slice(2);
const site = "target/site";
const bindgen = "target/tools/bin/wasm-bindgen";
const optimizer = "end2end/node_modules/.bin/wasm-opt";

const digest = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex").slice(0, 12);
};

/** The stylesheets that main.css imports, in its order, as one. */
const styles = () => {
  const main = fs.readFileSync("style/main.css", "utf8");
  const names = [...main.matchAll(/^@import "(.+)";$/gm)].map((match) => match[1]);
  const stray = fs.readdirSync("style").filter((name) => name !== "main.css" && !names.includes(name));
  if (stray.length > 0) throw new Error(`style/main.css does not import ${stray.join(", ")}`);
  return names.map((name) => fs.readFileSync(path.join("style", name), "utf8")).join("\n");
};

const compress = (file) => {
  const bytes = fs.readFileSync(file);
  const packed = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  if (packed.length < bytes.length) fs.writeFileSync(`${file}.br`, packed);
  return packed.length;
};

const files = (dir) =>
  fs.readdirSync(dir, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));

// What the whole depends on; where it is unchanged there is nothing to do.
const compiled = fs.readFileSync(wasm);
const css = styles();
const script = fs.readFileSync(".ci/site.mjs");
const pages = files("public").sort();
const all = digest(compiled, css, script, fs.readFileSync("Cargo.lock"), ...pages.flatMap((file) => [file, fs.readFileSync(file)]));
const stamp = "target/site.stamp";
if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === all && fs.existsSync(site)) process.exit(0);

// Built beside the old one and swapped in, so that a running server never sees half of it.
const next = "target/site.next";
fs.rmSync(next, { recursive: true, force: true });
fs.cpSync("public", next, { recursive: true });
fs.mkdirSync(path.join(next, "pkg"), { recursive: true });

const name = `dormwatt-${digest(compiled, script)}`;
execFileSync(bindgen, ["--target", "web", "--no-typescript", "--out-dir", path.join(next, "pkg"), "--out-name", name, wasm], { stdio: "inherit" });
const bundle = path.join(next, "pkg", `${name}_bg.wasm`);
execFileSync(optimizer, ["-Oz", "--strip-debug", "--strip-producers", "-o", bundle, bundle], { stdio: "inherit" });
fs.writeFileSync(path.join(next, "pkg", `dormwatt-${digest(css)}.css`), css);

const sizes = files(next).map((file) => [path.relative(next, file), fs.statSync(file).size, compress(file)]);
fs.rmSync(site, { recursive: true, force: true });
fs.renameSync(next, site);
fs.writeFileSync(stamp, all);
for (const [file, size, packed] of sizes.filter(([file]) => file.startsWith("pkg"))) {
  console.log(`${file}: ${(size / 1024).toFixed(1)} KB, ${(packed / 1024).toFixed(1)} KB after brotli`);
}
