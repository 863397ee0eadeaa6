// Opens a page at three widths in both colour schemes and says what a person would stumble over.
//   node look.mjs CHROMIUM PAGE [FOLDER]    writes JSON; screenshots go to FOLDER
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [executablePath, page_, folder] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const seen = [];
for (const colorScheme of ["light", "dark"]) {
  for (const width of [375, 1024, 1600]) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
    const page = await context.newPage();
    const messages = [];
    const requests = [];
    page.on("console", (m) => messages.push(m.text()));
    page.on("pageerror", (e) => messages.push(String(e)));
    page.on("request", (r) => requests.push(r.url()));
    await page.goto(pathToFileURL(resolve(page_)).href);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    if (folder) {
      const name = `${basename(page_, ".html")}-${width}-${colorScheme}.png`;
      await page.screenshot({ path: join(folder, name), fullPage: true });
    }
    // Opened, every folded part is looked at too.
    await page.evaluate(() => document.querySelectorAll("details").forEach((d) => (d.open = true)));
    const opened = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    seen.push({
      colorScheme,
      width,
      overflow: Math.max(overflow, opened),
      messages,
      requests: requests.length,
      violations: violations.map((v) => ({
        id: v.id,
        impact: v.impact,
        nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)),
      })),
    });
    await context.close();
  }
}
await browser.close();
console.log(JSON.stringify(seen, null, 1));
