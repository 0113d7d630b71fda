import { defineConfig } from "@playwright/test";
import base from "./playwright.config";

/** `npm run screenshots`: takes the pictures of the README from a running demo. */
export default defineConfig({ ...base, testDir: "readme", projects: [{ name: "readme" }] });
