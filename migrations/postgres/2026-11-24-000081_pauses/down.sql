DROP INDEX supporters_paused;
