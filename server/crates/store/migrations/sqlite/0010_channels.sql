-- Two more channels. A CHECK says nothing about what is stored, so its text alone is changed, in the way that SQLite documents:
-- making the table anew would break what refers to it.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(sql, '''transfer'', ''alipay''', '''transfer'', ''alipay'', ''wechat'', ''unionpay''')
WHERE type = 'table' AND name = 'orders';
PRAGMA writable_schema = RESET;
-- Also makes other connections read the schema anew.
CREATE INDEX payment_attempts_created ON payment_attempts (channel, created_at);
