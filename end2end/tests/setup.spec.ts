import { expect, test } from "@playwright/test";
import { port as demo } from "../playwright.config";
import { csv, OwnSite } from "../support/own-site";
import { noErrors } from "../support/people";

let site: OwnSite;

test.beforeEach(() => {
  site = new OwnSite(demo + 20);
});

test.afterEach(() => site.end());

test("an empty installation becomes a site in the browser alone", async ({ page }) => {
  await site.simulate(2);
  const serials = ["260100000001", "260100000002"];
  const printed = await site.serve();
  const errors = noErrors(page);

  await page.goto(`http://${site.address}/`);
  await expect(page).toHaveURL(/\/setup$/);
  await page.goto(printed);
  await page.locator("input[name=login]").fill("head");
  await page.locator("input[name=name]").fill("张主任");
  await page.locator("input[name=password]").fill("correct horse battery");
  await page.locator("input[name=site]").fill("北校区");
  await page.locator("form[action='/api/setup/site'] button.primary").click();
  await expect(page).toHaveURL(/\/start$/);
  await expect(page.locator(".checklist > li")).toHaveCount(9);

  await page.locator("main a[href='/import']").first().click();
  await page.locator("input[type=file]").setInputFiles([
    csv("rooms.csv", "楼栋,楼层,房间\n1号楼,1层,101\n1号楼,1层,102\n"),
    csv("gateways.csv", `Gateway,Host,Port\nG1,127.0.0.1,${site.gateway}\n`),
    csv("meters.csv", "Serial number,Building,Floor,Room,Gateway,Unit id,Profile\n" +
      serials.map((serial, at) => `${serial},1号楼,1层,10${at + 1},G1,${at + 1},rpp\n`).join("")),
    csv("prices.csv", "Price plan,Building,Price\n居民,,0.65\n"),
    csv("contacts.csv", "Building,Contact number\n,010-62770000\n"),
    csv("defaults.csv", "Building,Alarm 1 (yuan),Alarm 2 (yuan)\n,20,5\n"),
  ]);
  await page.locator("#upload button.primary").click();
  await expect(page.locator("#import .row-list summary").first()).toHaveText("房间：新增 2 行");
  await page.locator("form[action='/api/operator/site/import'] button").click();
  await page.locator("#import a.primary[href='/wall']").click();
  await expect(page).toHaveURL(/\/wall$/);
  await page.goto(`http://${site.address}/start`);
  await expect.poll(async () => {
    await page.reload();
    return page.locator(".checklist > li.done").count();
  }).toBe(4);
  // The meters still charge what they left the factory with.
  await expect(page.locator(".checklist")).toContainText("2 块电表没有电价方案，或表内电价与方案不同");

  await page.goto(`http://${site.address}/settings`);
  await expect(page.locator("input[name=alarm1]")).toHaveValue("20.00");
  const contact = page.locator("input[name=contact]");
  await expect(contact).toHaveValue("010-62770000");
  await contact.fill("110");
  await page.locator("form[action='/api/operator/settings/contact'] button").click();
  await expect(page).toHaveURL(/\/settings\?of=/);
  await expect(contact).toHaveValue("110");
  expect(errors).toEqual([]);
});
