// Opens WeChat's payment sheet. What it says proves nothing: the order's page asks. Given up, the button opens it again.
(() => {
  const button = document.getElementById("wechat-pay");
  const pay = () =>
    window.WeixinJSBridge?.invoke("getBrandWCPayRequest", JSON.parse(button.dataset.request), (answer) => {
      if (answer.err_msg === "get_brand_wcpay_request:ok") location.replace(button.dataset.after);
    });
  button.addEventListener("click", pay);
  // Coming back from the order's page opens nothing by itself.
  if (performance.getEntriesByType("navigation")[0]?.type === "back_forward") return;
  if (window.WeixinJSBridge) pay();
  else document.addEventListener("WeixinJSBridgeReady", pay, { once: true });
})();
