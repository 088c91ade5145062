// node compress.mjs QUALITY FILE ...: writes FILE.br and FILE.gz, several at a time.
import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
const [quality, ...files] = process.argv.slice(2);
await Promise.all(files.map(async (file) => {
  const data = await readFile(file);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: Number(quality),
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: data.length,
  };
  await writeFile(file + ".br", await promisify(brotliCompress)(data, { params }));
  await writeFile(file + ".gz", await promisify(gzip)(data, { level: 9 }));
}));
