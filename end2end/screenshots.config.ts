import { defineConfig } from "@playwright/test";
import base from "./playwright.config";

/** `npm run screenshots`: takes the pictures of the README and of the operators' guide from a running demo. */
export default defineConfig({ ...base, testDir: "pictures", projects: [{ name: "pictures" }] });
