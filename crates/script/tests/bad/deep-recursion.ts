const f = () => f(); f();
