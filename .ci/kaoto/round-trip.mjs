// Opens route files with Kaoto's own code and writes them again: what comes out has to mean the same.
import assert from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [modules, ...directories] = process.argv.slice(2);
const require = createRequire(join(modules, "package.json"));
const { parse } = require("yaml");

// Kaoto expects a browser, but needs none of it for YAML.
globalThis.DOMParser = class {
  parseFromString() {
    return {};
  }
};
globalThis.XMLSerializer = class {};
globalThis.document ??= {};
globalThis.window ??= globalThis;
const bundle = join(modules, "kaoto.cjs");
require("esbuild").buildSync({
  stdin: {
    contents:
      'export * from "./node_modules/@kaoto/kaoto/lib/esm/models/camel/camel-resource-factory.js";',
    resolveDir: modules,
  },
  bundle: true,
  platform: "node",
  format: "cjs",
  outfile: bundle,
  logLevel: "error",
  loader: { ".scss": "empty", ".css": "empty", ".svg": "empty", ".png": "empty" },
});
const { CamelResourceFactory } = require(bundle);

let passed = 0;
for (const directory of directories) {
  for (const file of readdirSync(directory).filter((name) => name.endsWith(".camel.yaml"))) {
    const text = readFileSync(join(directory, file), "utf8");
    const resource = CamelResourceFactory.createCamelResource(text, { path: file });
    assert.strictEqual(resource.getVisualEntities().length, parse(text).length, `${file}: shown`);
    const written = parse(resource.toString());
    for (const entry of written) {
      // Kaoto gives it an id; docs/edit-routes.md says to take that away.
      assert.match(entry.routeConfiguration?.id ?? "routeConfiguration-0", /^routeConfiguration-\d+$/);
      delete entry.routeConfiguration?.id;
    }
    assert.deepStrictEqual(written, parse(text), file);
    passed++;
  }
}
assert.notStrictEqual(passed, 0, "no route file");
console.log(`${passed} route files mean the same after Kaoto has written them`);
