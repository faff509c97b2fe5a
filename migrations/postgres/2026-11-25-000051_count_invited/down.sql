DROP TRIGGER count_invited_signup ON signups;
DROP FUNCTION count_invited_signup;
