-- A transfer moves both balances by itself: one statement less in every transaction, and no transfer without it.
CREATE TRIGGER ledger_moves_balances AFTER INSERT ON ledger_transfers BEGIN
  INSERT INTO ledger_balances (account, debits_e4, credits_e4) VALUES (NEW.debit, NEW.amount_e4, 0), (NEW.credit, 0, NEW.amount_e4)
    ON CONFLICT (account) DO UPDATE SET debits_e4 = debits_e4 + excluded.debits_e4, credits_e4 = credits_e4 + excluded.credits_e4;
END;
