DROP TRIGGER count_invited_signup;
