-- Two more channels; and a tender of a later migration, so that their order does not matter.
ALTER TABLE orders DROP CONSTRAINT orders_tender_check;
ALTER TABLE orders ADD CONSTRAINT orders_tender_check
    CHECK (tender IN ('cash', 'card', 'transfer', 'alipay', 'wechat', 'unionpay', 'subsidy'));
CREATE INDEX payment_attempts_created ON payment_attempts (channel, created_at);
