begin; insert into o(x) values(1); insert into p(o) values(1),(2); select pg_sleep(0.002*random()); insert into l(w) values('y'); end;
