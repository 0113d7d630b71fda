-- A line of the audit chain moves its head on by itself: one statement less in every transaction, and no line without it.
CREATE TRIGGER audit_moves_head AFTER INSERT ON audit BEGIN
  UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash WHERE one = 1;
END;
