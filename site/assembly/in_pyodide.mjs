// Runs a Python file inside Pyodide, under Node, with one folder of this machine at /work.
// node in_pyodide.mjs PYODIDE_FOLDER SCRIPT WORK_FOLDER [PACKAGE ...]
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
const [folder, script, work, ...packages] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")).href);
const pyodide = await loadPyodide({ indexURL: folder + "/", packageCacheDir: folder });
if (packages.length) await pyodide.loadPackage(packages, { messageCallback: () => {} });
pyodide.FS.mkdir("/work");
pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: work }, "/work");
await pyodide.runPythonAsync(readFileSync(script, "utf8"));
