-- A transfer moves both balances by itself: one statement less in every transaction, and no transfer without it. In the order of the
-- codes, so that two transactions never wait for each other's rows.
CREATE FUNCTION ledger_moves_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO ledger_balances AS b (account, debits_e4, credits_e4)
    SELECT account, debits, credits FROM (VALUES (NEW.debit, NEW.amount_e4, 0), (NEW.credit, 0, NEW.amount_e4))
      AS sides (account, debits, credits) ORDER BY account
    ON CONFLICT (account) DO UPDATE SET debits_e4 = b.debits_e4 + excluded.debits_e4, credits_e4 = b.credits_e4 + excluded.credits_e4;
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_moves_balances AFTER INSERT ON ledger_transfers FOR EACH ROW EXECUTE FUNCTION ledger_moves_balances();
